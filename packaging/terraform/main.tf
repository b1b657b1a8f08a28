# Where agentdoctor's alerts go: an encrypted SNS topic, a subscription, and the policy that lets hosts publish. The
# same as packaging/cloudformation/alerts.yaml.

data "aws_caller_identity" "this" {}

data "aws_partition" "this" {}

# A key of this account: its use is in CloudTrail, and other accounts and services can be let in by its policy. AWS's own
# alias/aws/sns costs nothing and needs no kms actions in the policy below, but only principals of this account can
# publish to its topics, no alarm of CloudWatch and no other account can, and nobody can change that.
resource "aws_kms_key" "this" {
  description         = "Encrypts the messages of the topic ${var.topic_name}"
  enable_key_rotation = true
  policy              = data.aws_iam_policy_document.key.json
}

resource "aws_kms_alias" "this" {
  name          = "alias/${var.topic_name}"
  target_key_id = aws_kms_key.this.key_id
}

# Hands the key to this account's own policies, the one below among them, and keeps it from being locked out.
data "aws_iam_policy_document" "key" {
  statement {
    sid       = "ThisAccountDecides"
    actions   = ["kms:*"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = ["arn:${data.aws_partition.this.partition}:iam::${data.aws_caller_identity.this.account_id}:root"]
    }
  }
}

resource "aws_sns_topic" "this" {
  name              = var.topic_name
  kms_master_key_id = aws_kms_key.this.arn
}

# It takes the place of SNS's default policy: principals of this account publish by their own policies alone.
resource "aws_sns_topic_policy" "this" {
  arn    = aws_sns_topic.this.arn
  policy = data.aws_iam_policy_document.topic.json
}

data "aws_iam_policy_document" "topic" {
  statement {
    sid       = "NothingWithoutTls"
    effect    = "Deny"
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.this.arn]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

resource "aws_sns_topic_subscription" "this" {
  count     = var.endpoint == "" ? 0 : 1
  topic_arn = aws_sns_topic.this.arn
  protocol  = var.protocol
  endpoint  = var.endpoint
}

# All that a host needs to tell: no reading, no listing, no other topic.
resource "aws_iam_policy" "publish" {
  name_prefix = "${substr(var.topic_name, 0, 90)}-publish-"
  description = "Publish to the topic ${var.topic_name}, and nothing else"
  policy      = data.aws_iam_policy_document.publish.json
}

data "aws_iam_policy_document" "publish" {
  statement {
    sid       = "Publish"
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.this.arn]
  }

  statement {
    sid       = "EncryptWhatIsPublished"
    actions   = ["kms:GenerateDataKey*", "kms:Decrypt"]
    resources = [aws_kms_key.this.arn]
  }
}

resource "aws_iam_role_policy_attachment" "publish" {
  count      = var.role_name == "" ? 0 : 1
  role       = var.role_name
  policy_arn = aws_iam_policy.publish.arn
}
