"""Look, plan, act: how any set of cloud resources is brought to what is wanted."""
