"""What a service's page of documentation shows, as frozen values that a template prints."""
