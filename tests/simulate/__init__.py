"""Many lives of random clusters, with everything going wrong: the laws have to hold in all of them.

A life is a script of events, all of them drawn from one seed. Whatever happens in it, once faults
and vandals rest, what is there has to be what is wanted; and in the end, nothing.
"""
