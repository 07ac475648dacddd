"""Services of others, as strict as their documentation: a request that they would refuse, or that they do not document, is refused."""
