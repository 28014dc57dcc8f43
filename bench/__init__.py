"""`make bench`: our server beside the stock one, under the same load, in one run."""
