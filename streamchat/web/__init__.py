"""What the HTTP faces share: refusals as JSON, logins, bounds, and checks of where a request comes from."""
