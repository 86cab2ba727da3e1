"""The operator as a process: watches, queue, leader election, webhooks, metrics."""
