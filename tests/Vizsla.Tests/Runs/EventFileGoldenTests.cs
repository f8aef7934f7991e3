using System.Text.Json.Nodes;
using Vizsla.Runs.TensorBoard;
using Vizsla.Testing;

namespace Vizsla.Tests.Runs;

/// <summary>The event file that TensorBoard's own writer makes (make/tfevents.py).</summary>
[Trait("Category", "Golden")]
public sealed class EventFileGoldenTests
{
    [Fact]
    public void The_same_events_are_the_same_bytes()
    {
        var folder = Golden.Require("tfevents");
        var events = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "contents.json")))!["events"]!.AsArray();
        var times = new Queue<double>(events.Select(e => e!["wall_time"]!.GetValue<double>()));
        using var stream = new MemoryStream();

        using (var file = new EventFile(stream, times.Dequeue))
        {
            foreach (var entry in events.Skip(1))
            {
                Add(file, entry!["step"]!.GetValue<long>(), entry["values"]!.AsArray());
            }
        }

        var expected = File.ReadAllBytes(Assert.Single(Directory.GetFiles(folder, "events.out.tfevents.*")));
        Assert.Equal(Convert.ToHexString(expected), Convert.ToHexString(stream.ToArray()));
    }

    private static void Add(EventFile file, long step, JsonArray values)
    {
        if (values[0]!["simple_value"] is not null)
        {
            file.AddScalars(step, [.. values.Select(v => (v!["tag"]!.GetValue<string>(), (float)v["simple_value"]!.GetValue<double>()))]);
        }
        else if (values[0]!["text"] is { } text)
        {
            file.AddText(values[0]!["tag"]!.GetValue<string>().Replace("/text_summary", "", StringComparison.Ordinal), text.GetValue<string>(), step);
        }
        else
        {
            var image = values[0]!["image"]!;
            file.AddImage(
                values[0]!["tag"]!.GetValue<string>(), Convert.FromBase64String(image["png"]!.GetValue<string>()),
                image["width"]!.GetValue<int>(), image["height"]!.GetValue<int>(), step);
        }
    }
}
