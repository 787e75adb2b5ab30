using Fleet.Contracts;
using Fleet.Emulator.Live;
using NUnit.Framework;

namespace Fleet.Tests.Emulator.Live;

public sealed class BulkNamesTests
{
    private static BulkOptions Options(int first, int count, int perSite) => new() { Broker = MqttAddress.Loopback(1), First = first, Count = count, PerSite = perSite };

    [Test]
    public void Site_SeveralProcessesOfOneFleet_DividesItByNumber()
    {
        var (one, two) = (new BulkNames(Options(1, 150, 100)), new BulkNames(Options(151, 150, 100)));
        Assert.That(one.Sites, Is.EqualTo(new[] { "lab-0001", "lab-0002" }));
        Assert.That(two.Sites, Is.EqualTo(new[] { "lab-0002", "lab-0003" }));
        Assert.That((one.Site(149), two.Site(0), two.Id(0)), Is.EqualTo(("lab-0002", "lab-0002", "dev-000151")));
        Assert.That((one.CountOfSite(0), one.CountOfSite(149), two.CountOfSite(0), two.CountOfSite(149)), Is.EqualTo((100, 50, 50, 100)));
    }

    [Test]
    public void Site_FleetOfOneSite_KeepsItsName() => Assert.That(new BulkNames(Options(1, 100, 100)).Sites, Is.EqualTo(new[] { "lab" }));

    [Test]
    public void Find_EveryDevice_IsItsNumber_AndNobodyElseIs()
    {
        var names = new BulkNames(Options(51, 100, 100));
        for (var i = 0; i < 100; i++) Assert.That(names.Find(names.Site(i), names.Id(i)), Is.EqualTo(i));
        foreach (var (site, id) in new[] { ("lab-0001", "dev-000050"), ("lab-0002", "dev-000151"), ("lab-0002", "dev-000051"), ("lab-0001", "dev-51"), ("lab-0001", "pi-1") })
            Assert.That(names.Find(site, id), Is.EqualTo(-1), $"{site}/{id}");
    }

    [Test]
    public void Faults_EverythingWrong_AreAllToldAtOnce()
    {
        var stock = new Fleet.Emulator.Stock();
        var bad = Options(0, 0, 0) with { Site = "A", IdPrefix = "-", Ramp = 0, Speed = 0, Worlds = 0, Board = "none", Model = "none", CloneOf = ["a/b/c"] };
        var faults = string.Join('\n', bad.Faults(stock));
        foreach (var flag in new[] { "--count", "--first", "--per-site", "--site", "--id-prefix", "--ramp", "--speed", "--threads", "--board", "--model", "--clone-of" }) Assert.That(faults, Does.Contain(flag + " is"));
    }

    [Test]
    public void Preflight_TooFewDescriptorsOrPorts_SaysHowMany()
    {
        var faults = Preflight.Faults(
            Options(1, 30_000, 1000) with { Broker = MqttAddress.Parse("mqtt://192.0.2.1") }, 30_000, "Max open files            1024                 20000                files     \n", "32768\t60999\n").ToList();
        Assert.That(faults, Has.Count.EqualTo(2));
        Assert.That(faults[0], Does.Contain("20,000").And.Contain("30,300"));
        Assert.That(faults[1], Does.Contain("28,232"));
    }
}
