using System.Text.Json.Nodes;
using Vizsla.Studio.Transforms;
using Vizsla.Transforms;

namespace Vizsla.Studio.Tests.Transforms;

public sealed class PipelineEditTests
{
    private static readonly JsonArray Steps = PipelineEdit.Normalize((JsonArray)JsonNode.Parse(
        """["Grayscale", {"transform": "RandomApply", "transforms": [{"transform": "RandomRotation", "degrees": 30}]}, {"transform": "Resize", "size": 64}]""")!);

    [Theory]
    [InlineData(new[] { 0 }, new[] { 3 }, "RandomApply(RandomRotation) Resize Grayscale")]
    [InlineData(new[] { 2 }, new[] { 0 }, "Resize Grayscale RandomApply(RandomRotation)")]
    [InlineData(new[] { 0 }, new[] { 1, 0 }, "RandomApply(Grayscale RandomRotation) Resize")]
    [InlineData(new[] { 1, 0 }, new[] { 0 }, "RandomRotation Grayscale RandomApply() Resize")]
    [InlineData(new[] { 1 }, new[] { 1, 0 }, "Grayscale RandomApply(RandomRotation) Resize")]
    public void Steps_move_between_lists_but_not_into_themselves(int[] from, int[] to, string expected) =>
        Assert.Equal(expected, Text(PipelineEdit.Move(Steps, from, to)));

    [Fact]
    public void A_step_is_wrapped_and_taken_out()
    {
        Assert.Equal("Grayscale RandomApply(RandomRotation) RandomApply(Resize)", Text(PipelineEdit.Nest(Steps, [2])));
        Assert.Equal("Grayscale RandomApply() Resize", Text(PipelineEdit.Remove(Steps, [1, 0])));
        Assert.Equal("Grayscale RandomApply(RandomRotation) Resize", Text(Steps));
    }

    [Theory]
    [InlineData("ColorJitter", """{"transform":"ColorJitter","brightness":0.3,"contrast":0.3,"saturation":0.3,"hue":0.3}""")]
    [InlineData("Grayscale", """{"transform":"Grayscale"}""")]
    [InlineData("RandomPosterize", """{"transform":"RandomPosterize","bits":4}""")]
    public void A_new_step_does_something(string name, string expected) =>
        Assert.Equal(expected, PipelineEdit.NewStep(TransformList.Find(name)!).ToJsonString());

    private static string Text(JsonArray steps) => string.Join(' ', steps.Select(s => PipelineEdit.Inner(s) is { } inner ? $"{PipelineEdit.NameOf(s)}({Text(inner)})" : PipelineEdit.NameOf(s)));
}
