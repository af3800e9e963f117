"""What people look at: overlay pictures and an HTML report."""
