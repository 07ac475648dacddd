"""The view models, one per hosted page; handlers build one of these and call `page`."""
