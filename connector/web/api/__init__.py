"""What programs call at `/api/v1`: one module a noun, each operation declared once by `operation`."""
