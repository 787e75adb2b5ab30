using System.IO.Hashing;
using System.Text;

namespace Fleet.Contracts;

/// <summary>
/// What the devices of a group call one sample without talking to each other: the upper half of the request id is the CRC-32 of the
/// group's name, the lower half the sample's number, which comes with the sample.
/// </summary>
public static class GroupRequest
{
    public static ulong Id(string group, int sample) => (ulong)Crc32.HashToUInt32(Encoding.UTF8.GetBytes(group)) << 32 | (uint)sample;

    /// <summary>The half that names the group.</summary>
    public static uint GroupOf(ulong requestId) => (uint)(requestId >> 32);
}
