"""What single decisions do to a plan: each parcel refused or forced in, told exactly and without a solve."""
