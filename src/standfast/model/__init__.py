"""The nouns: frozen values, standard library only. See STYLE.md for the words."""
