/**
 * What is shown instead of a part of the page that failed: a defect, or a file that an update of the server took away.
 *
 * Promises that the rest of the page goes on, and says that nothing written is lost. Another address is another try.
 */
import { Button } from '@mantine/core'
import { IconPlugConnectedX } from '@tabler/icons-react'
import { Component, type ReactNode } from 'react'
import { useLocation } from 'react-router'
import { useTexts } from './language.ts'
import { Empty } from './pieces.tsx'

export function Unbroken({ children }: { children: ReactNode }) {
	return <Boundary place={useLocation().pathname}>{children}</Boundary>
}

class Boundary extends Component<{ place: string; children: ReactNode }, { broken: boolean }> {
	override state = { broken: false }

	static getDerivedStateFromError() {
		return { broken: true }
	}

	override componentDidUpdate({ place }: { place: string }) {
		if (this.state.broken && place !== this.props.place) this.setState({ broken: false })
	}

	override render() {
		return this.state.broken ? <Broken /> : this.props.children
	}
}

function Broken() {
	const { t } = useTexts()
	return (
		<div role="alert">
			<Empty
				icon={<IconPlugConnectedX size={24} stroke={1.75} />}
				title={t('broken.title')}
				action={
					<Button variant="filled" onClick={() => location.reload()}>
						{t('broken.reload')}
					</Button>
				}
			>
				{t('broken.text')}
			</Empty>
		</div>
	)
}
