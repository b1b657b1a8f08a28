"""A doctor for the AWS CodeDeploy agent on EC2: what broke, is that proven, what do I type."""

__version__ = "0.1.0"
