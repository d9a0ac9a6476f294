"""Telephone companies. One folder each, the same four files in each: media, markup, webhooks, api. See `base`."""
