namespace Vizsla.Models.Graphs;

/// <summary>Finds what of a graph depends on the number and the size of the pictures, from two recordings.</summary>
/// <remarks>No network says so itself: a number that differs between the recordings is a length that was read from a tensor, and is looked for among their axes.</remarks>
internal static class DynamicGraph
{
    /// <summary>Joins two recordings of one network into a graph that holds for other pictures too.</summary>
    /// <param name="first">The network's graph for some pictures.</param>
    /// <param name="second">Its graph for another number of pictures, and for another size where that is to be free.</param>
    /// <returns>The first graph with every number that differs replaced by where it comes from.</returns>
    /// <exception cref="InvalidOperationException">The network computes otherwise for the other pictures, or a number is no axis of a tensor before it; the message names the operation.</exception>
    public static NetworkGraph Join(NetworkGraph first, NetworkGraph second)
    {
        if (first.Nodes.Count != second.Nodes.Count)
        {
            throw new InvalidOperationException($"The network takes {first.Nodes.Count} operations for [{string.Join(", ", first.Input.Shape)}] and {second.Nodes.Count} for [{string.Join(", ", second.Input.Shape)}].");
        }

        var pairs = new List<(GraphValue First, GraphValue Second)> { (first.Input, second.Input) };
        var nodes = new List<GraphNode>(first.Nodes.Count);
        foreach (var (left, right) in first.Nodes.Zip(second.Nodes))
        {
            CheckSame(left, right);
            nodes.Add(left with { Attributes = [.. left.Attributes.Zip(right.Attributes, (a, b) => Join(left, a, b, pairs))] });
            pairs.Add((left.Output, right.Output));
        }

        return first with { Nodes = nodes };
    }

    private static void CheckSame(GraphNode left, GraphNode right)
    {
        var inputs = left.Inputs.Zip(right.Inputs);
        if (left.Operator != right.Operator || left.Inputs.Count != right.Inputs.Count || left.Attributes.Count != right.Attributes.Count
            || inputs.Any(p => p.First?.Name != p.Second?.Name || !(p.First?.Constant ?? []).AsSpan().SequenceEqual(p.Second?.Constant ?? [])))
        {
            throw new InvalidOperationException($"The network computes {left.Operator} from constants of its own for each size of picture, or takes another way for another size.");
        }
    }

    private static GraphAttribute Join(GraphNode node, GraphAttribute left, GraphAttribute right, List<(GraphValue First, GraphValue Second)> known)
    {
        if (left.Lengths.Count != right.Lengths.Count || left.Number != right.Number)
        {
            throw new InvalidOperationException($"'{left.Name}' of {node.Operator} depends on the pictures.");
        }

        var moving = left.Lengths.Zip(right.Lengths).Where(p => p.First != p.Second).ToList();
        var rest = node.Operator == GraphOperator.Reshape ? Rest(moving, known) : null;
        return moving.Count == 0 ? left : left with
        {
            Lengths = [.. left.Lengths.Zip(right.Lengths, (a, b) => a == b ? a : (a, b) == rest ? new GraphLength(-1)
                : Source(a.Value, b.Value, known) ?? throw Homeless(node, left.Name, a.Value, b.Value))],
        };
    }

    /// <summary>The one length of a new shape that may be left to the others: the only one that moves, or the first that is no axis of its own.</summary>
    private static (GraphLength, GraphLength)? Rest(
        List<(GraphLength First, GraphLength Second)> moving, List<(GraphValue First, GraphValue Second)> known) =>
        moving is [var only] ? only : moving.Select(m => ((GraphLength, GraphLength)?)m).FirstOrDefault(m => Source(m!.Value.Item1.Value, m.Value.Item2.Value, known) is null);

    private static GraphLength? Source(long first, long second, List<(GraphValue First, GraphValue Second)> known)
    {
        foreach (var (left, right) in known)
        {
            for (var axis = 0; axis < left.Shape.Length; axis++)
            {
                if (left.Shape[axis] == first && right.Shape[axis] == second)
                {
                    return new GraphLength(first, left, axis);
                }
            }
        }

        return null;
    }

    private static InvalidOperationException Homeless(GraphNode node, string attribute, long first, long second) =>
        new(Invariant($"'{attribute}' of {node.Operator} is {first} for some pictures and {second} for others, which is the length of no axis before it."));
}
