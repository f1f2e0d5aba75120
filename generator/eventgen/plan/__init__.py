"""What will be written, as data: the tables of outputs, the broker contract, the views."""
