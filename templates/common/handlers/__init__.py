"""Your handlers: one module and one function for each kind of event the service receives."""
