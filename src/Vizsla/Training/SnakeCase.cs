using System.Text.Json;

namespace Vizsla.Training;

/// <summary>The names of Python: <c>AdamwTorchFused</c> is <c>adamw_torch_fused</c>.</summary>
internal static class SnakeCase
{
    public static string Of(string name) => JsonNamingPolicy.SnakeCaseLower.ConvertName(name);

    public static string Of<T>(T value)
        where T : struct, Enum => Of(value.ToString());

    /// <summary>All values of an enumeration by their Python name, in the order of declaration.</summary>
    public static IReadOnlyDictionary<string, object> Values(Type enumeration) =>
        Enum.GetValues(enumeration).Cast<object>().ToDictionary(v => Of(v.ToString()!));
}
