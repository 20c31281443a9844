"""Apps told by webhook, after Standard Webhooks: they subscribe with a key, and hear of stations and of alerts.

messages: what a subscriber is told, pure; schedule: who is to be told next; deliveries: the threads that tell; routes:
how apps subscribe. What was told and what is owed stands in `gateway/store/subscriptions`.
"""
