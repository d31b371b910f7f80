"""What people see: one module a noun; every page is made by `rendering.render` in the one layout."""
