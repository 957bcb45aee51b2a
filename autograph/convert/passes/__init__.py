"""The converters, one file each; their order is `PASSES` in `autograph.convert.pipeline`."""
