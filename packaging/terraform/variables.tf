variable "topic_name" {
  type    = string
  default = "agentdoctor-alerts"

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,256}$", var.topic_name))
    error_message = "A topic's name has letters, digits, - and _, 256 at most."
  }
}

variable "protocol" {
  description = "How the subscriber is reached. A mail address has to confirm the mail that AWS sends it."
  type        = string
  default     = "email"

  validation {
    condition     = contains(["email", "email-json", "https", "lambda", "sms", "sqs"], var.protocol)
    error_message = "One of email, email-json, https, lambda, sms, sqs."
  }
}

variable "endpoint" {
  description = "Mail address, URL, ARN or number of the subscriber; empty for none."
  type        = string
  default     = ""
}

variable "role_name" {
  description = "Name of the instances' role, which then gets the policy; empty to attach it yourself."
  type        = string
  default     = ""
}
