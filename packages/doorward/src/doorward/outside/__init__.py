"""What is not us: the clock, chance, key files, hashing threads, mail and web servers. Each adapter fills one port."""
