using TorchSharp;
using static TorchSharp.torch;

namespace Vizsla.Native;

/// <summary>One argument of an operator, of the type that the operator's schema names there.</summary>
/// <remarks>It only refers to its tensors, which stay the caller's.</remarks>
internal readonly struct OperatorArgument
{
    private readonly Tensor? _tensor;
    private readonly IReadOnlyList<Tensor>? _tensors;
    private readonly long[]? _integers;
    private readonly string? _text;
    private readonly ulong _bits;
    private readonly Kind _kind;

    private OperatorArgument(Kind kind, ulong bits = 0, Tensor? tensor = null, IReadOnlyList<Tensor>? tensors = null, long[]? integers = null, string? text = null) =>
        (_kind, _bits, _tensor, _tensors, _integers, _text) = (kind, bits, tensor, tensors, integers, text);

    private enum Kind
    {
        None,
        Bits,
        Tensor,
        Tensors,
        Integers,
        Text,
        OptionalBits,
        OptionalTensor,
        OptionalIntegers,
        OptionalText,
    }

    /// <summary>An absent value where the schema has <c>Tensor?</c>, <c>int?</c>, <c>float?</c> ...</summary>
    public static OperatorArgument None => default;

    /// <summary>A list without elements, of any type.</summary>
    public static OperatorArgument Empty => new(Kind.Integers, integers: []);

    /// <summary><c>Tensor</c>.</summary>
    public static implicit operator OperatorArgument(Tensor value) => new(Kind.Tensor, tensor: value);

    /// <summary><c>int</c> or <c>SymInt</c>.</summary>
    public static implicit operator OperatorArgument(long value) => new(Kind.Bits, (ulong)value);

    /// <summary><c>float</c>.</summary>
    public static implicit operator OperatorArgument(double value) => new(Kind.Bits, BitConverter.DoubleToUInt64Bits(value));

    /// <summary><c>bool</c>.</summary>
    public static implicit operator OperatorArgument(bool value) => new(Kind.Bits, value ? 1UL : 0);

    /// <summary><c>ScalarType</c>.</summary>
    public static implicit operator OperatorArgument(ScalarType value) => new(Kind.Bits, (ulong)value);

    /// <summary><c>str</c>.</summary>
    public static implicit operator OperatorArgument(string value) => new(Kind.Text, text: value);

    /// <summary><c>int[]</c> or <c>SymInt[]</c>.</summary>
    public static implicit operator OperatorArgument(long[] value) => new(Kind.Integers, integers: value);

    /// <summary><c>Tensor[]</c>.</summary>
    /// <param name="values">The tensors.</param>
    public static OperatorArgument List(IReadOnlyList<Tensor> values) => new(Kind.Tensors, tensors: values);

    /// <summary><c>Tensor?</c>.</summary>
    /// <param name="value">The tensor; null is an absent one.</param>
    public static OperatorArgument Optional(Tensor? value) => value is null ? None : new(Kind.OptionalTensor, tensor: value);

    /// <summary><c>str?</c>.</summary>
    /// <param name="value">The text; null is an absent one.</param>
    public static OperatorArgument Optional(string? value) => value is null ? None : new(Kind.OptionalText, text: value);

    /// <summary><c>int[]?</c>.</summary>
    /// <param name="values">The integers; null is an absent list.</param>
    public static OperatorArgument OptionalList(long[]? values) => values is null ? None : new(Kind.OptionalIntegers, integers: values);

    /// <summary><c>float?</c>.</summary>
    /// <param name="value">The number; null is an absent one.</param>
    public static OperatorArgument Optional(double? value) =>
        value is { } number ? new(Kind.OptionalBits, BitConverter.DoubleToUInt64Bits(number)) : None;

    /// <summary><c>ScalarType?</c>.</summary>
    /// <param name="value">The type; null is an absent one.</param>
    public static OperatorArgument Optional(ScalarType? value) => value is { } type ? new(Kind.OptionalBits, (ulong)type) : None;

    /// <summary>The value as it stands on the dispatcher's stack; what it points to is the dispatcher's from then on.</summary>
    public ulong ToStack() => _kind switch
    {
        Kind.Bits => _bits,
        Kind.Tensor => StableAbi.NewReference(_tensor!),
        Kind.Tensors => StableAbi.NewList(_tensors!),
        Kind.Integers => StableAbi.NewList(_integers!),
        Kind.Text => StableAbi.NewText(_text!),
        Kind.OptionalBits => StableAbi.Boxed(_bits),
        Kind.OptionalTensor => StableAbi.Boxed(StableAbi.NewReference(_tensor!)),
        Kind.OptionalIntegers => StableAbi.Boxed(StableAbi.NewList(_integers!)),
        Kind.OptionalText => StableAbi.Boxed(StableAbi.NewText(_text!)),
        _ => 0,
    };
}
