using Mono.Cecil;
using Mono.Cecil.Cil;

namespace Vizsla.HouseRules;

/// <summary>
/// No number, date or comparison follows the culture of the machine. The analyzers (CA1304, CA1305, CA1310, CA1311) see calls that a programmer
/// wrote; here is what the compiler makes of interpolated strings and of <c>+</c>.
/// </summary>
public sealed class CultureTests
{
    private const string Handler = "System.Runtime.CompilerServices.DefaultInterpolatedStringHandler";

    // Their text has the separators, signs and calendars of a culture.
    private static readonly HashSet<string> s_sensitive =
    [
        "System.Double", "System.Single", "System.Half", "System.Decimal", "System.DateTime", "System.DateTimeOffset", "System.DateOnly", "System.TimeOnly",
        "System.Object", "System.IFormattable",
    ];

    // They differ where they are negative: by their minus sign.
    private static readonly HashSet<string> s_integers = ["System.SByte", "System.Int16", "System.Int32", "System.Int64", "System.IntPtr", "System.Numerics.BigInteger"];

    // What stands before a number that came from outside, which may be negative; counts and places are not.
    private static readonly string[] s_given = ["E", "got ", "got '", "Index ", "Row ", "Label ", "label ", "steps of "];

    [Theory]
    [InlineData("Vizsla.Hub")]
    [InlineData("Vizsla.HubServer")]
    [InlineData("Vizsla.Imaging")]
    [InlineData("Vizsla.Data")]
    [InlineData("Vizsla")]
    [InlineData("Vizsla.Onnx")]
    [InlineData("Vizsla.Serving")]
    [InlineData("Vizsla.Studio")]
    public void No_text_is_formatted_by_the_culture_of_the_machine(string assembly)
    {
        using var module = Dependencies.Open(assembly);

        var found = from type in module.GetTypes()
                    where !type.Name.StartsWith("<>f__AnonymousType", StringComparison.Ordinal)
                    from method in type.Methods
                    where method.HasBody && !IsRecordPrinter(method)
                    from formatted in Formatted(method)
                    select $"{type.FullName}.{method.Name}: {formatted}";

        var list = found.Distinct().ToList();
        Assert.True(list.Count == 0, string.Join('\n', list));
    }

    [Theory]
    [InlineData("Vizsla.Hub")]
    [InlineData("Vizsla.HubServer")]
    [InlineData("Vizsla.Imaging")]
    [InlineData("Vizsla.Data")]
    [InlineData("Vizsla")]
    [InlineData("Vizsla.Onnx")]
    [InlineData("Vizsla.Serving")]
    [InlineData("Vizsla.Studio")]
    public void No_strings_are_sorted_by_the_culture_of_the_machine(string assembly)
    {
        using var module = Dependencies.Open(assembly);

        var found = from type in module.GetTypes()
                    from method in type.Methods
                    where method.HasBody
                    from called in method.Body.Instructions.Select(i => i.Operand).OfType<MethodReference>()
                    where SortsStringsByCulture(called)
                    select $"{type.FullName}.{method.Name} -> {called.DeclaringType.Name}.{called.Name}";

        var list = found.Distinct().ToList();
        Assert.True(list.Count == 0, string.Join('\n', list));
    }

    private static IEnumerable<string> Formatted(MethodDefinition method)
    {
        var open = new Stack<bool>();
        var before = "";
        foreach (var instruction in method.Body.Instructions)
        {
            if (instruction.Operand is string literal)
            {
                before = literal;
            }

            if (instruction.Operand is not MethodReference called)
            {
                continue;
            }

            var owner = called.DeclaringType.FullName;
            if (owner == Handler && called.Name == ".ctor")
            {
                open.Push(called.Parameters.Count > 2);
                before = "";
            }
            else if (Closes(called, owner))
            {
                _ = open.TryPop(out _);
            }
            else if (owner == Handler && called is GenericInstanceMethod { Name: "AppendFormatted" } hole)
            {
                if (open.TryPeek(out var hasProvider) && !hasProvider && IsSensitive(hole.GenericArguments[0], before))
                {
                    yield return $"interpolates {hole.GenericArguments[0].FullName} after '{before}'";
                }

                before = "";
            }
            else if (called is { Name: "ToString", Parameters.Count: 0 } && Receiver(instruction, called) is var receiver && IsSensitive(receiver, "") && receiver.FullName is not ("System.Object" or "System.IFormattable"))
            {
                yield return $"calls {receiver.FullName}.ToString()";
            }
        }
    }

    private static bool Closes(MethodReference called, string owner) =>
        (owner == Handler && called.Name == "ToStringAndClear")
        || (owner == "System.String" && called.Name == "Create" && called.Parameters.Any(p => p.ParameterType.FullName.StartsWith(Handler, StringComparison.Ordinal)));

    // 'constrained. T' before 'callvirt Object.ToString()' names the type.
    private static TypeReference Receiver(Instruction instruction, MethodReference called) =>
        instruction.Previous is { OpCode.Code: Code.Constrained, Operand: TypeReference constrained } ? constrained : called.DeclaringType;

    private static bool IsSensitive(TypeReference type, string before) =>
        type is GenericInstanceType { ElementType.FullName: "System.Nullable`1" } nullable ? IsSensitive(nullable.GenericArguments[0], before)
        : s_sensitive.Contains(type.FullName) || (s_integers.Contains(type.FullName) && s_given.Any(g => before.EndsWith(g, StringComparison.Ordinal)));

    // Without a comparer, strings compare as the culture does.
    private static bool SortsStringsByCulture(MethodReference called)
    {
        if (called.Parameters.Any(p => p.ParameterType.Name.Contains("Compar", StringComparison.Ordinal)))
        {
            return false;
        }

        return called.DeclaringType.FullName switch
        {
            "System.Linq.Enumerable" => called is GenericInstanceMethod sort && (called.Name is "OrderBy" or "OrderByDescending" or "ThenBy" or "ThenByDescending" or "MinBy" or "MaxBy"
                ? HoldsString(sort.GenericArguments[1])
                : called.Name is "Order" or "OrderDescending" or "Min" or "Max" && sort.GenericArguments.Count == 1 && called.Parameters.Count == 1 && HoldsString(sort.GenericArguments[0])),
            "System.Array" => called is GenericInstanceMethod { Name: "Sort" or "BinarySearch" } sort && HoldsString(sort.GenericArguments[0]),
            "System.String" => called.Name is "CompareTo",
            _ => called.DeclaringType is GenericInstanceType owner && HoldsString(owner.GenericArguments[0]) && (owner.ElementType.Name, called.Name) is
                ("List`1", "Sort") or ("SortedDictionary`2", ".ctor") or ("SortedList`2", ".ctor") or ("SortedSet`1", ".ctor") or ("PriorityQueue`2", ".ctor"),
        };
    }

    private static bool HoldsString(TypeReference type) =>
        type.FullName == "System.String" || (type is GenericInstanceType { ElementType.Name: var name } tuple && name.StartsWith("ValueTuple", StringComparison.Ordinal) && tuple.GenericArguments.Any(HoldsString));

    // What the compiler writes for a record, for a debugger's eyes.
    private static bool IsRecordPrinter(MethodDefinition method) =>
        method.Name == "PrintMembers" && method.CustomAttributes.Any(a => a.AttributeType.Name == "CompilerGeneratedAttribute");
}
