using Fleet.Contracts;

namespace Fleet.Emulator;

/// <summary>What one device did in a run, with what its camera, radio and battery say at the end.</summary>
public sealed record DeviceResult(DeviceAccount Account, long Skipped, Bytes Sent, Joules Stored)
{
    public static DeviceResult Of(EmulatedDevice device) => new(device.Account, device.Skipped, device.BytesSent, device.Stored);
}
