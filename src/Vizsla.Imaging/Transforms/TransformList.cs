using System.Reflection;

namespace Vizsla.Transforms;

/// <summary>Every transform there is: what forms, files and help are made from.</summary>
public static class TransformList
{
    private static readonly Dictionary<string, TransformInfo> ByName = typeof(Transform).Assembly.GetExportedTypes()
        .Select(type => (Type: type, type.GetCustomAttribute<GroupAttribute>()?.Group))
        .Where(entry => entry.Group is not null)
        .Select(entry => new TransformInfo(entry.Type, entry.Group!.Value))
        .OrderBy(info => info.Group)
        .ThenBy(info => info.Name, StringComparer.Ordinal)
        .ToDictionary(info => info.Name, StringComparer.Ordinal);

    /// <summary>All transforms, by group and name.</summary>
    public static IReadOnlyCollection<TransformInfo> All => ByName.Values;

    /// <summary>The transform of a name, or null.</summary>
    /// <param name="name">torchvision's name, case-sensitive.</param>
    public static TransformInfo? Find(string name) => ByName.GetValueOrDefault(name);
}
