import torch

from ferclean.models.relative_uncertainty import (
    MeanClassifier,
    RelativeUncertainty,
    feature_branch,
)


def test_a_branch_is_the_authors_on_pooled_features():
    normalise, dropout, linear, last = feature_branch(6, 4, 0.4)
    assert (normalise.affine, normalise.eps, last.affine, last.eps) == (False, 2e-5, True, 2e-5)
    assert (dropout.p, linear.in_features, linear.out_features) == (0.4, 6, 4)


def test_a_face_by_itself_is_classified_from_its_mean():
    head = MeanClassifier(6, 4, 3, dropout=0.4).eval()
    features = torch.randn(5, 6)
    torch.testing.assert_close(head(features), head.output(head.mean(features)))
    assert head(features).shape == (5, 3)


def test_uncertainty_is_the_mean_variance_and_never_overflows():
    head = RelativeUncertainty(6, 4, dropout=0.0).eval()
    features = torch.randn(5, 6)
    found = head(features)
    variances = head.log_variance(features)
    for i in range(5):
        torch.testing.assert_close(found[i], sum(v.exp() for v in variances[i]) / 4)
    assert head(1e6 * features).isfinite().all()
