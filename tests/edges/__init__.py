"""The five edges of a conversation, as stories in virtual time: silence, noise, "I want a human", anger, other languages."""
