namespace Vizsla.Transforms;

/// <summary>Puts a transform into a group of the list.</summary>
/// <param name="group">The group.</param>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class GroupAttribute(TransformGroup group) : Attribute
{
    /// <summary>The group.</summary>
    public TransformGroup Group { get; } = group;
}
