"""The audit log: who read or changed which credential, when, and with what result; never the credential.

`event` says what can be written, `log` appends it, `recorder` decides what a failure to write means, `recent` reads it
back and `verification` tells whether it is still as it was written. docs/audit.md has the format.
"""
