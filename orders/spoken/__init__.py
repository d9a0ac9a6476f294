"""What people say, understood, and what we know, made sayable: times, order numbers, e-mails, telephone numbers, postcodes.

Pure functions of text and time. No Django, no database, no clock and no words of the agent's: a caller of these modules decides
what to say. The rule of the folder: rather not understood than understood wrongly.
"""
