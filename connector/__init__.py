"""The connector between phone systems and Zoho Desk."""

__version__ = "0.1.0"
