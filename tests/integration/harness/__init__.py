"""What the integration tests are made of: backends, web servers, clients."""
