"""Commands on partitions."""
