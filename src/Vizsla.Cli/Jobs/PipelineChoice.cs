using System.Text.Json.Nodes;
using Vizsla.Transforms;

namespace Vizsla.Cli.Jobs;

/// <summary>One pipeline of a training, made for the model's processor where it has a name.</summary>
/// <param name="Json">Its name, or its steps, as a configuration holds them.</param>
/// <param name="For">Makes it.</param>
internal sealed record PipelineChoice(JsonNode Json, Func<ImageProcessor, Compose> For)
{
    /// <summary>The pipeline of a file.</summary>
    public static PipelineChoice Of(Compose pipeline) => new(Pipeline.ToJson(pipeline), _ => pipeline);
}
