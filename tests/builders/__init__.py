"""What tests stand on: databases, peers and phantoms, made on the spot and removed afterwards."""
