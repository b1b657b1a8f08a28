"""The AppSpec, judged as the agent itself will: reading, meaning, what is refused, what will be regretted."""
