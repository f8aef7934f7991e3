namespace Vizsla.Transforms;

/// <summary>What a transform is about.</summary>
public enum TransformGroup
{
    /// <summary>Moves pixels.</summary>
    Geometric,

    /// <summary>Changes colors.</summary>
    Photometric,

    /// <summary>Chooses among many changes by a policy.</summary>
    Augmentation,

    /// <summary>Runs other transforms.</summary>
    Container,

    /// <summary>Makes floats and changes them.</summary>
    Tensor,

    /// <summary>Mixes the pictures of a batch.</summary>
    Batch,

    /// <summary>Steps of image processors that torchvision does not have.</summary>
    Processor,
}
