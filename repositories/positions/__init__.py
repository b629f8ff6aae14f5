"""Read and adjust positions, and sum them over traders."""
