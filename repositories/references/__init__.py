"""Store, read and list a desk's own records that belong to no trader."""
