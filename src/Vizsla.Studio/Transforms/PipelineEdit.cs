using System.Text.Json.Nodes;
using Vizsla.Transforms;

namespace Vizsla.Studio.Transforms;

/// <summary>Changes to a list of steps in JSON; a step is found by its path: its place, then its place inside that step, and so on.</summary>
internal static class PipelineEdit
{
    /// <summary>The key of a step's name.</summary>
    public const string NameKey = "transform";

    private const string InnerKey = "transforms";
    private const double FirstAmount = 0.3;

    /// <summary>A step of its defaults, of its examples where there is no default, and of some effect where all defaults are none.</summary>
    public static JsonObject NewStep(TransformInfo info)
    {
        var step = new JsonObject { [NameKey] = info.Name };
        foreach (var parameter in info.Parameters.Where(p => p.IsRequired))
        {
            step[parameter.Name] = parameter.Default?.DeepClone();
        }

        // Where nothing is asked for, nothing would happen: a first step shows what the transform is for.
        if (info.Parameters.All(p => !p.IsRequired && p.Default is null))
        {
            foreach (var parameter in info.Parameters.Where(p => p.Kind == ParameterKind.NumberOrPair))
            {
                step[parameter.Name] = FirstAmount;
            }
        }

        return step;
    }

    /// <summary>The step at a path; null when there is none.</summary>
    public static JsonObject? At(JsonArray steps, IReadOnlyList<int> path) =>
        path.Count > 0 && ListOf(steps, path) is { } list && path[^1] >= 0 && path[^1] < list.Count ? list[path[^1]] as JsonObject : null;

    /// <summary>The name of a step, whether it is an object or a bare name.</summary>
    public static string NameOf(JsonNode? step) => step switch
    {
        JsonObject map => map[NameKey]?.GetValue<string>() ?? "",
        JsonValue value when value.TryGetValue<string>(out var name) => name,
        _ => "",
    };

    /// <summary>The steps inside a step; null when it holds none.</summary>
    public static JsonArray? Inner(JsonNode? step) =>
        step is JsonObject map && TransformList.Find(NameOf(step))?.Parameters.Any(p => p.Kind == ParameterKind.Transforms) == true ? map[InnerKey] as JsonArray : null;

    /// <summary>Bare names as objects, so that every step can be changed in place.</summary>
    public static JsonArray Normalize(JsonArray steps)
    {
        var result = new JsonArray();
        foreach (var step in steps)
        {
            var map = step is JsonObject known ? (JsonObject)known.DeepClone() : new JsonObject { [NameKey] = NameOf(step) };
            if (map[InnerKey] is JsonArray inner)
            {
                map[InnerKey] = Normalize(inner);
            }

            result.Add(map);
        }

        return result;
    }

    /// <summary>Sets a parameter; a value equal to its default is left out.</summary>
    public static JsonArray Set(JsonArray steps, IReadOnlyList<int> path, TransformParameter parameter, JsonNode? value)
    {
        var changed = (JsonArray)steps.DeepClone();
        if (At(changed, path) is { } step)
        {
            if (!parameter.IsRequired && JsonNode.DeepEquals(value, parameter.Default))
            {
                step.Remove(parameter.Name);
            }
            else
            {
                step[parameter.Name] = value?.DeepClone();
            }
        }

        return changed;
    }

    /// <summary>Puts a step before the one at a path; a place behind the last one is its end.</summary>
    public static JsonArray Insert(JsonArray steps, IReadOnlyList<int> path, JsonObject step)
    {
        var changed = (JsonArray)steps.DeepClone();
        if (ListOf(changed, path) is { } list)
        {
            list.Insert(Math.Clamp(path[^1], 0, list.Count), step.DeepClone());
        }

        return changed;
    }

    /// <summary>Takes a step out.</summary>
    public static JsonArray Remove(JsonArray steps, IReadOnlyList<int> path)
    {
        var changed = (JsonArray)steps.DeepClone();
        if (At(changed, path) is not null)
        {
            ListOf(changed, path)!.RemoveAt(path[^1]);
        }

        return changed;
    }

    /// <summary>Takes a step out and puts it before another; a step cannot go into itself.</summary>
    public static JsonArray Move(JsonArray steps, IReadOnlyList<int> from, IReadOnlyList<int> to)
    {
        if (At(steps, from) is not { } step || (to.Count >= from.Count && to.Take(from.Count).SequenceEqual(from)))
        {
            return steps;
        }

        // Taking it out shifts what stands behind it in the same list.
        int[] target = [.. to];
        var depth = from.Count - 1;
        if (target.Length > depth && target.Take(depth).SequenceEqual(from.Take(depth)) && target[depth] > from[depth])
        {
            target[depth]--;
        }

        return Insert(Remove(steps, from), target, step);
    }

    /// <summary>Wraps a step in a <c>RandomApply</c>.</summary>
    public static JsonArray Nest(JsonArray steps, IReadOnlyList<int> path) =>
        At(steps, path) is { } step
            ? Insert(Remove(steps, path), path, new JsonObject { [NameKey] = nameof(RandomApply), [InnerKey] = new JsonArray(step.DeepClone()) })
            : steps;

    private static JsonArray? ListOf(JsonArray steps, IReadOnlyList<int> path)
    {
        var list = steps;
        foreach (var index in path.Take(path.Count - 1))
        {
            if (index < 0 || index >= list.Count || Inner(list[index]) is not { } inner)
            {
                return null;
            }

            list = inner;
        }

        return list;
    }
}
