"""A revision before it is deployed: its entries, whatever holds them, and what the agent will meet in it."""
