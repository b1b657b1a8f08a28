output "topic_arn" {
  description = "For sns.topic_arn in /etc/agentdoctor/agentdoctor.yaml"
  value       = aws_sns_topic.this.arn
}

output "policy_arn" {
  description = "For the role of each instance that role_name does not name"
  value       = aws_iam_policy.publish.arn
}

output "key_arn" {
  description = "What subscribers with an encrypted queue may have to allow"
  value       = aws_kms_key.this.arn
}
