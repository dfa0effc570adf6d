"""The judge: one configuration, one list of requests, two gateways."""
