using System.Text.Json.Nodes;
using Vizsla.Transforms;

namespace Vizsla.Studio.Transforms;

/// <summary>The pipeline that a page shows: its steps, the one chosen, what is wrong.</summary>
/// <param name="changed">Called after every change.</param>
public sealed class PipelineRoom(Func<Task> changed)
{
    private int[] _selected = [0];

    /// <summary>The steps as JSON; changed only through this object.</summary>
    public JsonArray Steps { get; private set; } = [];

    /// <summary>The step being dragged.</summary>
    public IReadOnlyList<int>? Dragged { get; set; }

    /// <summary>The pipeline; the last one that could be built while the steps are wrong.</summary>
    public Compose? Pipeline { get; private set; }

    /// <summary>What is wrong with the steps.</summary>
    public IReadOnlyList<string> Problems { get; private set; } = [];

    /// <summary>The step chosen; null when there is none.</summary>
    public JsonObject? Selected => PipelineEdit.At(Steps, _selected);

    /// <summary>Place of the chosen step, or of the one that holds it, at the top.</summary>
    public int SelectedPlace => _selected[0];

    /// <summary>JSON of the pipeline that was built last: what pictures are made of.</summary>
    public string Json => Pipeline is null ? "[]" : Vizsla.Transforms.Pipeline.ToJson(Pipeline).ToJsonString();

    /// <summary>Whether a step is the chosen one.</summary>
    /// <param name="path">Path of the step.</param>
    public bool IsSelected(IReadOnlyList<int> path) => _selected.SequenceEqual(path);

    /// <summary>Chooses a step.</summary>
    /// <param name="path">Path of the step.</param>
    public void Select(IReadOnlyList<int> path)
    {
        _selected = [.. path];
        _ = changed();
    }

    /// <summary>Takes steps as they come from a file or an address.</summary>
    /// <param name="steps">The steps.</param>
    /// <param name="selected">Place of the step to choose.</param>
    public void Load(JsonArray steps, int selected = 0)
    {
        Steps = PipelineEdit.Normalize(steps);
        _selected = [Math.Clamp(selected, 0, Math.Max(0, Steps.Count - 1))];
        Build();
    }

    /// <summary>Adds a step before the conversion to floats, or after it where it belongs there.</summary>
    /// <param name="info">The transform.</param>
    public Task AddAsync(TransformInfo info)
    {
        ArgumentNullException.ThrowIfNull(info);
        var conversion = Steps.Select((s, i) => (s, i)).Where(p => IsFloats(PipelineEdit.NameOf(p.s))).Select(p => (int?)p.i).FirstOrDefault();
        var place = IsFloats(info.Name) ? Steps.Count : conversion ?? Steps.Count;
        _selected = [place];
        return ApplyAsync(PipelineEdit.Insert(Steps, [place], PipelineEdit.NewStep(info)));
    }

    /// <summary>Sets a parameter of the chosen step.</summary>
    /// <param name="parameter">The parameter.</param>
    /// <param name="value">Its value as JSON.</param>
    public Task SetAsync(TransformParameter parameter, JsonNode? value) => ApplyAsync(PipelineEdit.Set(Steps, _selected, parameter, value));

    /// <summary>Moves a step.</summary>
    /// <param name="from">Its path.</param>
    /// <param name="to">Path of the place before which it goes.</param>
    public Task MoveAsync(IReadOnlyList<int> from, IReadOnlyList<int> to)
    {
        var step = PipelineEdit.At(Steps, from);
        var moved = PipelineEdit.Move(Steps, from, to);
        if (step is not null && to.Count == 1)
        {
            _selected = [Math.Clamp(from.Count == 1 && to[0] > from[0] ? to[0] - 1 : to[0], 0, moved.Count - 1)];
        }

        return ApplyAsync(moved);
    }

    /// <summary>Wraps a step in a <c>RandomApply</c>.</summary>
    /// <param name="path">Path of the step.</param>
    public Task NestAsync(IReadOnlyList<int> path) => ApplyAsync(PipelineEdit.Nest(Steps, path));

    /// <summary>Takes a step out.</summary>
    /// <param name="path">Path of the step.</param>
    public Task RemoveAsync(IReadOnlyList<int> path)
    {
        ArgumentNullException.ThrowIfNull(path);
        _selected = [Math.Max(0, Math.Min(path[0], Steps.Count - 2))];
        return ApplyAsync(PipelineEdit.Remove(Steps, path));
    }

    private static bool IsFloats(string name) =>
        TransformList.Find(name)?.Type is { } type && (typeof(ConversionTransform).IsAssignableFrom(type) || typeof(TensorTransform).IsAssignableFrom(type));

    private Task ApplyAsync(JsonArray steps)
    {
        Steps = steps;
        Build();
        return changed();
    }

    private void Build()
    {
        try
        {
            (Pipeline, Problems) = (Vizsla.Transforms.Pipeline.FromJson(Steps), []);
        }
        catch (TransformException e)
        {
            Problems = e.Problems;
        }
    }
}
