using System.Net;
using System.Net.Http.Json;
using Vizsla.Datasets;
using Vizsla.Imaging;
using Vizsla.Serving;
using Vizsla.Studio.Labeling;
using Vizsla.Testing;

namespace Vizsla.Studio.Tests.Labeling;

public sealed class LabelSessionTests : IDisposable
{
    private const int Photos = 12;

    private readonly TemporaryFolder _folder = new();

    public LabelSessionTests()
    {
        for (var i = 0; i < Photos; i++)
        {
            using var picture = new Image(16, 16);
            picture.Pixels.Fill((byte)(i < Photos / 2 ? 20 : 220));
            ImageCodec.SavePng(picture, _folder[$"p{i:00}.png"]);
        }
    }

    private string Output => _folder["labels.csv"];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Each_label_is_in_the_file_at_once()
    {
        using var session = Session("dark");

        session.Answer(3, " dark ");
        session.Answer(8, "light, \"bright\"");
        session.Answer(5, null);

        Assert.Equal("id,breed\np03.png,dark\np08.png,\"light, \"\"bright\"\"\"\n", File.ReadAllText(Output));
        var state = session.State();
        Assert.Equal((2, Photos), (state.Labelled, state.Total));
        Assert.Equal(["dark", "light, \"bright\""], state.Classes);
        Assert.DoesNotContain(state.Next, p => p.Id is 3 or 5 or 8);
    }

    [Fact]
    public async Task The_classifier_learns_meanwhile()
    {
        using var session = Session();
        foreach (var id in new[] { 0, 1, 2, 6, 7, 8 })
        {
            session.Answer(id, id < Photos / 2 ? "dark" : "light");
        }

        await session.LearntAsync();
        session.Answer(3, "dark");
        await session.LearntAsync();

        var state = session.State();
        Assert.Equal(1, state.Forecast!.Accuracy);
        Assert.All(state.Next, p => Assert.Equal(p.Id < Photos / 2 ? "dark" : "light", p.Suggested));
    }

    [Fact]
    public void A_label_is_taken_back_and_asked_for_again()
    {
        using var session = Session();
        session.Answer(4, "dark");
        session.Answer(7, "light");

        var state = session.Undo();

        Assert.Equal("id,breed\np04.png,dark\n", File.ReadAllText(Output));
        Assert.Equal((7, "p04.png: dark"), (state.Next[0].Id, state.Last));
        session.Undo();
        Assert.Equal("There is no label to take back.", Assert.Throws<RefusedException>(session.Undo).Message);
    }

    [Fact]
    public void A_file_that_is_there_is_gone_on_with()
    {
        using (var first = Session())
        {
            first.Answer(0, "dark");
            first.Answer(9, "light");
        }

        using var second = Session();

        Assert.Equal(2, second.State().Labelled);
        second.Answer(1, "dark");
        Assert.Equal("id,breed\np00.png,dark\np01.png,dark\np09.png,light\n", File.ReadAllText(Output));
    }

    [Fact]
    public void Labels_of_other_photos_are_refused_and_kept()
    {
        File.WriteAllText(Output, "id,breed\nother.png,dark\n");

        var error = Assert.Throws<DatasetException>(() => Session());

        Assert.Equal($"'{Output}', line 2: there is no photo 'other.png' in the folder. Give the folder that these labels are for, or another --output.", error.Message);
        Assert.Equal("id,breed\nother.png,dark\n", File.ReadAllText(Output));
    }

    [Theory]
    [InlineData("")]
    [InlineData("a\nb")]
    public void A_label_that_cannot_be_is_refused(string label)
    {
        using var session = Session();

        Assert.Equal("A label is a text of 1 to 200 characters in one line.", Assert.Throws<RefusedException>(() => session.Answer(0, label)).Message);
        Assert.False(File.Exists(Output));
    }

    [Fact]
    public async Task Another_page_cannot_label()
    {
        using var session = Session();
        await using var server = await RunningServer.LabelAsync(session);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/label/answer") { Content = JsonContent.Create(new { id = 0, label = "dark" }) };
        request.Headers.Add("Origin", "http://elsewhere.example");

        using var refused = await server.Client.SendAsync(request, TestContext.Current.CancellationToken);
        using var absent = await server.Client.PostAsJsonAsync("/label/answer", new { id = 99, label = "dark" }, TestContext.Current.CancellationToken);
        using var taken = await server.Client.PostAsJsonAsync("/label/answer", new { id = 0, label = "dark" }, TestContext.Current.CancellationToken);

        Assert.Equal((HttpStatusCode.Forbidden, HttpStatusCode.NotFound, HttpStatusCode.OK), (refused.StatusCode, absent.StatusCode, taken.StatusCode));
        Assert.Equal("id,breed\np00.png,dark\n", await File.ReadAllTextAsync(Output, TestContext.Current.CancellationToken));
    }

    internal LabelSession Session(params string[] classes)
    {
        var names = Enumerable.Range(0, Photos).Select(i => $"p{i:00}.png").ToList();
        return new LabelSession([.. names.Select(n => _folder[n])], names, [.. Enumerable.Range(0, Photos).Select(i => i < Photos / 2 ? new[] { 1f, 0.01f * i } : [0.01f * i, 1f])], Output, ("id", "breed"), classes);
    }
}
