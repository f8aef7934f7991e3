using System.Net;
using Vizsla.Serving;
using Vizsla.Studio.Pictures;

namespace Vizsla.Studio.Tests.Pictures;

public sealed class PictureDownloadTests
{
    [Theory]
    [InlineData("93.184.216.34", true)]
    [InlineData("2606:2800:220:1::1", true)]
    [InlineData("127.0.0.1", false)]
    [InlineData("10.1.2.3", false)]
    [InlineData("172.31.0.1", false)]
    [InlineData("192.168.1.1", false)]
    [InlineData("169.254.169.254", false)]
    [InlineData("100.64.0.1", false)]
    [InlineData("0.0.0.0", false)]
    [InlineData("255.255.255.255", false)]
    [InlineData("::1", false)]
    [InlineData("::ffff:127.0.0.1", false)]
    [InlineData("::ffff:10.0.0.1", false)]
    [InlineData("fe80::1", false)]
    [InlineData("fd00::1", false)]
    [InlineData("64:ff9b::7f00:1", false)]
    [InlineData("2002:7f00:1::", false)]
    public void Addresses_of_this_computer_and_its_network_are_not_public(string address, bool isPublic) =>
        Assert.Equal(isPublic, PictureDownload.IsPublic(IPAddress.Parse(address)));

    [Theory]
    [InlineData("http://127.0.0.1:9/photo.jpg", "'127.0.0.1' is not a public host. Save the picture and drop it here.")]
    [InlineData("http://[::1]:9/photo.jpg", "'[::1]' is not a public host. Save the picture and drop it here.")]
    [InlineData("http://localhost:9/photo.jpg", "'localhost' is not a public host. Save the picture and drop it here.")]
    [InlineData("file:///etc/hostname", "'file:///etc/hostname' is not the address of a picture. Expected one such as https://example.org/photo.jpg.")]
    [InlineData("photo.jpg", "'photo.jpg' is not the address of a picture. Expected one such as https://example.org/photo.jpg.")]
    public async Task What_only_this_server_can_reach_is_refused(string address, string message)
    {
        using var download = new PictureDownload(new ServingOptions());

        var e = await Assert.ThrowsAsync<RefusedException>(() => download.ReadAsync(address));

        Assert.Equal(message, e.Message);
    }

    [Fact]
    public async Task A_picture_of_an_allowed_host_comes_whole_and_a_large_or_absent_one_does_not()
    {
        await using var server = await RunningServer.StudioAsync(new StudioOptions());
        using var download = new PictureDownload(new ServingOptions(), _ => true);
        using var strict = new PictureDownload(new ServingOptions { MaxPictureBytes = 1000 }, _ => true);
        var address = new Uri(server.Address, "/pictures/sample?side=200").ToString();

        Assert.Equal(await server.Client.GetByteArrayAsync(address, TestContext.Current.CancellationToken), await download.ReadAsync(address));
        Assert.Equal(413, (await Assert.ThrowsAsync<RefusedException>(() => strict.ReadAsync(address))).Status);
        Assert.Equal("'127.0.0.1' answers 404 instead of a picture.", (await Assert.ThrowsAsync<RefusedException>(() => download.ReadAsync(new Uri(server.Address, "/pictures/none").ToString()))).Message);
    }
}
