"""Store, read and list records of a desk's own models."""
